import { Context } from "effect"

/** What is open about the stream, or worth switching; each default is argued beside it. */
export interface StreamOptions {
  /**
   * How long the records of one symbol gather before they leave as one frame, in the exchange's time. In the recording of
   * 2026-06-08 no second has more than five trade frames of a symbol, at 26 trades a second: a beat of 200 ms.
   */
  readonly frameWindow_ms: number
  /** `H0STANC0`: the portal's table has 45, its example of 2026-07-07 has 46, the last the previous close. */
  readonly expectedColumns: 45 | 46
  /** NUL and bytes that are no UTF-8 in `H0STANC0`, as seen since about 2026-05; off, since they end most clients. */
  readonly expectedBytes: "clean" | "asCaptured"
  /** `H0STMKO0`: the table has 11, its only example 10 [U]; the table is younger than the example. */
  readonly operationColumns: 10 | 11
  /** The HTS ids that exist. Absent: every id of 2 to 20 letters and digits with a letter, or one that begins with `@`. */
  readonly htsIds: ReadonlyArray<string> | undefined
  /** A made-up order and its fill for every registered HTS id, in the exchange's time; 0 makes none. */
  readonly fillEvery_seconds: number
}

export const defaultStreamOptions: StreamOptions = {
  frameWindow_ms: 200,
  expectedColumns: 46,
  expectedBytes: "clean",
  operationColumns: 11,
  htsIds: undefined,
  fillEvery_seconds: 30
}

/** How the stream of this exchange behaves; provide it to differ from the defaults. */
export const StreamOptions = Context.Reference<StreamOptions>("observer/simulator/StreamOptions", {
  defaultValue: () => defaultStreamOptions
})
