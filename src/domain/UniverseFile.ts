/** An issue as the broker's master files have it; those of 2026-07-22 ship with the program as `data/universe.csv`. */
export interface UniverseEntry {
  readonly code: string
  readonly isin: string
  readonly name: string
  readonly market: string
  readonly kind: string
  readonly listedShares: number
  /** KRW; absent where the master file has none. */
  readonly basePrice: number | undefined
  /** Shares traded on the previous day. */
  readonly previousVolume: number
  /** Letters: H halted, A administrative, C caution, W warning or risk, O overheating, L liquidation, X ex-rights. */
  readonly flags: string
  readonly nxt: boolean
}

const header = "code,isin,name,market,kind,listedShares,baseKrw,prevVolume,flags,nxt"

/** Where the shipped universe lies, seen from a module one folder below `src/` or `dist/`. */
export const universeUrl = new URL("../../data/universe.csv", import.meta.url)

/** Parses the universe; throws an `Error` naming the line when the file is not the one this program ships with. */
export const parseUniverse = (text: string): ReadonlyArray<UniverseEntry> => {
  const [first, ...lines] = text.split("\n")
  if (first !== header) throw new Error(`universe.csv: the first line should be "${header}"`)
  return lines.flatMap((line, index) => {
    if (line === "") return []
    const wrong = (detail: string) => new Error(`universe.csv: line ${index + 2} ${detail}`)
    const values = line.split(",")
    const [code, isin, name, market, kind, listedShares, basePrice, previousVolume, flags, nxt] = values
    if (values.length !== 10) throw wrong(`should have 10 values, it has ${values.length}`)
    if (!code || isin === undefined || name === undefined) throw wrong("has no code")
    const numbers = [listedShares, basePrice || 0, previousVolume].map(Number)
    if (!numbers.every(Number.isFinite)) throw wrong("has a number that cannot be read")
    return [
      {
        code,
        isin,
        name,
        market: market ?? "",
        kind: kind ?? "",
        listedShares: Number(listedShares),
        basePrice: basePrice ? Number(basePrice) : undefined,
        previousVolume: Number(previousVolume),
        flags: flags ?? "",
        nxt: nxt === "Y"
      }
    ]
  })
}
