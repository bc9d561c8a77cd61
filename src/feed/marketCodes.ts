import type { Phase } from "../domain/Phase.ts"

/**
 * The market operation codes (`fields/mkop_codes.json`), with the phase that begins with each. A sidecar stops programs
 * and no quotes. Those of the evening since 2026-09-14 are not published; what is not in the table is kept as it came.
 */
const codes: Readonly<Record<string, readonly [meaning: string, phase?: Phase]>> = {
  "110": ["opening call auction starts", "openingAuction"],
  "112": ["regular session opens", "continuous"],
  "121": ["closing call auction starts", "closingAuction"],
  "129": ["regular session closed", "afterClose"],
  "130": ["pre-open after-hours (off-hours) starts", "preOpen"],
  "139": ["pre-open after-hours ends"],
  "140": ["after-hours closing-price trading starts", "afterClose"],
  "146": ["after-hours matching instruction"],
  "149": ["after-hours closing-price trading ends"],
  "150": ["after-hours single-price trading starts (market abolished 2026-09-14)", "afterMarket"],
  "156": ["after-hours single-price matching instruction (abolished)"],
  "159": ["after-hours single-price trading ends (abolished)", "closed"],
  "164": ["market temporarily halted", "halt"],
  "174": ["circuit breaker triggered", "halt"],
  "175": ["circuit breaker released", "continuous"],
  "182": ["closing call auction under circuit breaker", "closingAuction"],
  "184": ["circuit breaker starts", "halt"],
  "185": ["circuit breaker released", "continuous"],
  "387": ["sell sidecar triggered"],
  "388": ["sell sidecar released"],
  "397": ["buy sidecar triggered"],
  "398": ["buy sidecar released"],
  F01: ["10 s to open"],
  F06: ["1 min to open"],
  F07: ["5 min to open"],
  F08: ["10 min to open"],
  F09: ["3 min to open"],
  F11: ["10 s to close"],
  F16: ["1 min to close"],
  F17: ["5 min to close"],
  F18: ["3 min to close"],
  P01: ["10 s to open (second family)"],
  P06: ["1 min to open (second family)"],
  P07: ["5 min to open (second family)"],
  P08: ["10 min to open (second family)"],
  P09: ["30 min to open (second family)"],
  P11: ["10 s to close (second family)"],
  P16: ["1 min to close (second family)"],
  P17: ["5 min to close (second family)"],
  P18: ["3 min to close (second family)"],
  // Documented nowhere: captured around the circuit breaker of 2026-06-26.
  AF8: ["seen when a circuit breaker began (2026-06-26)", "halt"],
  AF1: ["seen when a circuit breaker ended (2026-06-26)", "continuous"],
  AB1: ["seen with volatility interruptions (2026-09)"],
  BF9: ["seen with volatility interruptions (2026-06)"]
}

/** What a code means in words, or `undefined` for one that is not known. */
export const meaningOfMarketCode = (code: string): string | undefined =>
  Object.hasOwn(codes, code) ? codes[code]?.[0] : undefined

/** The phase that begins with a code, or `undefined` where it begins none. */
export const phaseOfMarketCode = (code: string): Phase | undefined =>
  Object.hasOwn(codes, code) ? codes[code]?.[1] : undefined
