import { Schema } from "effect"

/**
 * The short code of a listed issue or index, upper case, never a number: `005930`, `0000Y0`, `Q500001`, `0001`.
 * KRX has issued codes with letters since 2024, and funds (`F…`) have nine characters.
 */
// Of a pattern without the flag `u` a description in JSON Schema would say nothing.
export const SymbolCode = Schema.String.check(Schema.isPattern(/^[0-9A-Z]{4,9}$/u)).pipe(Schema.brand("SymbolCode"))
export type SymbolCode = typeof SymbolCode.Type

/** Index codes have four digits (`0001` KOSPI, `1001` KOSDAQ); they are in no list of issues and no stream of trades. */
export const isIndexCode = (symbol: string): boolean => symbol.length === 4

export const isSymbolCode: (text: unknown) => text is SymbolCode = Schema.is(SymbolCode)
