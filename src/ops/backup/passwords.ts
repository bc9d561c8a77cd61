/** Passwords in an address: `user:password@host`, and the secrets among the parameters of an rclone remote. */
const inUrl = /(:\/\/[^/@:\s]+):([^/@\s]+)@/g
const inParameters = /([,:]\s*\w*(?:pass|secret|key|token)\w*)=("[^"]*"|'[^']*'|[^,:]*)/gi

/** An address that may be shown. */
export const maskPasswords = (address: string): string =>
  address.replace(inUrl, "$1:***@").replace(inParameters, "$1=***")

/** The passwords that an address holds. */
export const passwordsIn = (address: string): ReadonlyArray<string> =>
  [
    ...[...address.matchAll(inUrl)].map(([, , secret]) => secret ?? ""),
    ...[...address.matchAll(inParameters)].map(([, , secret]) => (secret ?? "").replace(/^["']|["']$/g, ""))
  ].filter((secret) => secret !== "")

/** What a program says, in one line, without the passwords of an address. */
export const scrubbed = (text: string, address: string): string => {
  const plain = passwordsIn(address).reduce((all, secret) => all.replaceAll(secret, "***"), maskPasswords(text))
  const lines = plain.split("\n").map((line) => line.trim())
  return lines
    .filter((line) => line !== "")
    .slice(-3)
    .join("; ")
    .slice(-600)
}
