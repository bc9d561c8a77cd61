/** Kinds of symbols that have a target of their own. */
export const symbolClasses = ["watch", "index", "stock", "etf"] as const
export type SymbolClass = (typeof symbolClasses)[number]

/** How old a quote may become at the most, by class, in seconds. */
export type TargetSeconds = Readonly<Record<SymbolClass, number>>
