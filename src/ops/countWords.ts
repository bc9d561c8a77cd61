/** A whole number with its thousands apart, as people read it. */
export const count = (value: number): string => value.toLocaleString("en-US")

/** So many of something, in the singular where it is one. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`
