/** Wrong tokens an address may send in a row before it has to wait. */
export const attempts_max = 10
/** After this time one more may be tried. */
export const regained_ms = 6_000
/** Addresses that are remembered; the one whose last attempt is the longest ago is forgotten for a new one. */
export const addresses_max = 1_024

interface Left {
  readonly attempts: number
  readonly atMs: number
}

/** A home or an office has a whole network of the sixth version; to change the address within it is nothing. */
export const networkOf = (address: string): string => {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address
  const [head = "", tail] = address.split("::")
  const groups = head === "" ? [] : head.split(":")
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length)
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => "0")].slice(0, 4).join(":")
}

/** How many wrong tokens each address has sent of late. In bounded memory, whoever asks. */
export class Attempts {
  readonly #left = new Map<string, Left>()

  /** Milliseconds until the next token of an address is looked at; 0 when it is now. */
  wait_ms(address: string, nowMs: number): number {
    const attempts = this.#attemptsLeft(networkOf(address), nowMs)
    return attempts >= 1 ? 0 : Math.ceil((1 - attempts) * regained_ms)
  }

  /** Notes a wrong token. */
  failed(address: string, nowMs: number): void {
    const network = networkOf(address)
    const attempts = Math.max(0, this.#attemptsLeft(network, nowMs) - 1)
    this.#left.delete(network)
    this.#left.set(network, { attempts, atMs: nowMs })
    const [oldest] = this.#left.keys()
    if (this.#left.size > addresses_max && oldest !== undefined) this.#left.delete(oldest)
  }

  get size(): number {
    return this.#left.size
  }

  #attemptsLeft(network: string, nowMs: number): number {
    const left = this.#left.get(network)
    // A clock that is set back gives nothing and takes nothing.
    return left === undefined
      ? attempts_max
      : Math.min(attempts_max, left.attempts + Math.max(0, nowMs - left.atMs) / regained_ms)
  }
}
