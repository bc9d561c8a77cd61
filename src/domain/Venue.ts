/** Where a trade happened: the Korea Exchange, Nextrade, or both together. */
export const venues = ["KRX", "NXT", "UN"] as const

export type Venue = (typeof venues)[number]
