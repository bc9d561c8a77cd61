/** Shorter parts of an address are words, such as `services`, and no secrets. */
const part_min = 16

/**
 * The texts that give a secret address away: the whole of it, and every long part of what follows the host, for a server
 * that refuses a request often quotes that.
 */
export const secretParts = (address: string): ReadonlyArray<string> => {
  if (!URL.canParse(address)) return [address]
  const { href, pathname, search } = new URL(address)
  const path = `${pathname}${search}`
  const parts = [path, pathname, ...path.split(/[/?&=]/)].filter((part) => part.length >= part_min)
  return [...new Set([address, href, ...parts])]
}

/** A text without any of these. */
export const without = (secrets: ReadonlyArray<string>, text: string): string =>
  secrets.toSorted((a, b) => b.length - a.length).reduce((rest, secret) => rest.replaceAll(secret, "***"), text)
