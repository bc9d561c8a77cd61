/** The phases of a trading day, as records name them. */
export const phases = [
  "preOpen",
  "openingAuction",
  "continuous",
  "closingAuction",
  "closed",
  "afterClose",
  "afterMarket",
  "halt"
] as const

export type Phase = (typeof phases)[number]
