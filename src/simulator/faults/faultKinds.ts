/** Where a fault strikes. */
export type FaultPlace = "call" | "stream" | "market"

export interface FaultKind {
  readonly place: FaultPlace
  readonly meaning: string
  /** Settings of this fault alone, with what they are when not given. */
  readonly settings: Readonly<Record<string, number | string>>
  /** Strikes once unless `count`, `for` or `rate` says otherwise. */
  readonly once?: true
}

const kind = <S extends FaultKind["settings"]>(place: FaultPlace, meaning: string, settings: S) => ({
  place,
  meaning,
  settings
})

/** Every fault there is. The list is closed: a new one is a line here and its work in `faults/`. */
export const faultKinds = {
  drop: kind("call", "the call is carried out, but its connection is closed without an answer", {}),
  reset: kind("call", "as drop, but the connection is reset (RST)", {}),
  silence: kind("call", "no answer ever comes, and the connection stays open", {}),
  slowBytes: kind("call", "the answer's body trickles in", { bytesPerSecond: 200 }),
  truncatedJson: kind("call", "the body ends in its middle, with a content-length that says so", {}),
  htmlPage: kind("call", "an HTML page instead of JSON; a status of 200 is the nastiest", { status: 200 }),
  status: kind("call", "a bare server error, as at night", { status: 500 }),
  storm: kind("call", "calls are refused although the key is below its limit", { code: "EGW00201" }),
  tokenRevoked: { ...kind("call", "the token of the call is worthless from this call on (EGW00121)", {}), once: true },
  tokenDeskDown: kind("call", "every path under /oauth2 answers with a server error", {}),
  missingRows: kind("call", "rows are left out of an answer, without a word", { rows: 1 }),
  zeroRows: kind("call", "every price, volume and change of a row is zero", {}),
  clockSkew: kind("call", "the Date header and a token's expiry text are off", { skew_seconds: 3_600 }),
  cut: { ...kind("stream", "the socket ends without a close frame (1006)", {}), once: true },
  streamSilence: kind("stream", "nothing at all is sent, not even PINGPONG, and the socket stays open", {}),
  duplicateFrames: kind("stream", "a frame is sent twice", {}),
  reorderFrames: kind("stream", "a frame is sent after the one that follows it in its session", {}),
  wrongCount: kind("stream", "the frame's head counts one record too many", {}),
  moreColumns: kind("stream", "records have columns more than the layout; a new layout if it never ends", {
    columns: 1
  }),
  fewerColumns: kind("stream", "records lack their last columns", { columns: 1 }),
  splitUtf8: kind("stream", "a record ends in half a character: the frame is not UTF-8", {}),
  lostAck: kind("stream", "a subscription takes effect, and its answer is lost", {}),
  refuseSubscribe: kind("stream", "a subscription is refused, whatever the rules say", { code: "OPSP0008" }),
  ackThenSilence: kind("stream", "a subscription is accepted, and no record of it ever comes", {}),
  pingpongStopped: kind("stream", "no PINGPONG is sent", {}),
  burst: {
    ...kind("market", "the market trades so many times as fast, 10 s unless `for` is given", { factor: 50 }),
    once: true
  }
} as const satisfies Record<string, FaultKind>

export type FaultName = keyof typeof faultKinds

export const faultNames = Object.keys(faultKinds) as ReadonlyArray<FaultName>

export const kindOf = (name: FaultName): FaultKind => faultKinds[name]

/** One line for each fault: its name, where it strikes, what it does, and its own settings. */
export const faultLines: ReadonlyArray<string> = faultNames.map((name) => {
  const { meaning, place, settings } = kindOf(name)
  const own = Object.entries(settings).map(([key, value]) => `${key} ${value}`)
  return `${name.padEnd(16)}${place.padEnd(8)}${meaning}${own.length === 0 ? "" : ` (${own.join(", ")})`}`
})
