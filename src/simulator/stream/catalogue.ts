import { krxBooks } from "./records/bookRecord.ts"
import { liveFills, mockFills } from "./records/fillRecord.ts"
import { expectedMatches } from "./records/expectedRecord.ts"
import { indices } from "./records/indexRecord.ts"
import { krxOperations, nextradeOperations, unifiedOperations } from "./records/operationRecord.ts"
import { overtimeTrades } from "./records/overtimeTradeRecord.ts"
import { krxTrades } from "./records/tradeRecord.ts"
import { nextradeBooks, unifiedBooks } from "./records/venueBookRecord.ts"
import { nextradeTrades, unifiedTrades } from "./records/venueTradeRecord.ts"
import type { StreamKind, World } from "./StreamKind.ts"

/** Every stream this exchange has: a new one is a file and a line here. */
const makers: ReadonlyArray<(world: World) => StreamKind> = [
  krxTrades,
  unifiedTrades,
  nextradeTrades,
  overtimeTrades,
  krxBooks,
  unifiedBooks,
  nextradeBooks,
  expectedMatches,
  indices,
  krxOperations,
  unifiedOperations,
  nextradeOperations,
  liveFills,
  mockFills
]

export type Catalogue = ReadonlyMap<string, StreamKind>

export const catalogue = (world: World): Catalogue =>
  new Map(makers.map((make) => make(world)).map((kind) => [kind.trId, kind]))
