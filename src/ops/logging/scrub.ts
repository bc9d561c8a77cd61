import { Redacted } from "effect"

/**
 * Takes known secrets out of finished lines. `Redacted` values print as such by themselves; this is for the libraries
 * that quote an address or a header in their own error texts.
 */
export const makeScrub = (secrets: ReadonlyArray<Redacted.Redacted>): ((line: string) => string) => {
  const texts = secrets
    .map(Redacted.value)
    .flatMap((text) => [text, ...passwordOf(text)])
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)])
    .filter((text) => text.length >= 6)
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length)
  return (line) => longestFirst.reduce((text, secret) => text.replaceAll(secret, "<redacted>"), line)
}

const passwordOf = (text: string): ReadonlyArray<string> => {
  if (!URL.canParse(text)) return []
  const { password } = new URL(text)
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
