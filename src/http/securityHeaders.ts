/**
 * What a browser is told with every answer: load and run nothing, show it in no frame, guess no type, tell nobody where
 * it came from, keep nothing. A page that brings a style says so in a policy of its own.
 */
export const securityHeaders = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store"
} as const
