/** A number in [0, 1) that belongs to a text and some numbers for ever: for what must look the same at every call and start. */
export const hashOf = (text: string, ...numbers: ReadonlyArray<number>): number => {
  let hash = 2_166_136_261
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619)
  for (const number of numbers) {
    hash = Math.imul(hash ^ (number | 0), 2_246_822_519)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_917)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296
}
