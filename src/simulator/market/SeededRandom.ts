/** A small seeded generator (sfc32): the same seed gives the same market, on every machine and Node version. */
export interface SeededRandom {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  below(below: number): number
  /** Exponentially distributed with mean 1. */
  exponential(): number
  /** Lower-case letters and digits. */
  text(length: number): string
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

export const seededRandom = (seed: number, lane: number): SeededRandom => {
  let a = seed | 0,
    b = lane | 0,
    c = 0x9e3779b9 | 0,
    d = 1
  const word = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return t >>> 0
  }
  for (let round = 0; round < 12; round++) word()
  const next = () => word() / 4_294_967_296
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    exponential: () => -Math.log(1 - next()),
    text: (length) => Array.from({ length }, () => letters[below(letters.length)]).join("")
  }
}
