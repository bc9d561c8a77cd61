import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { crc32, deflateRawSync, gzipSync } from "node:zlib"
import { makeNumberer, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import { nameInDay } from "../../src/journal/SegmentName.ts"
import { lay, openMs } from "../ops/exportFixtures.ts"
import { capturedFrame } from "../support/samples.ts"

/** A gzip member with a field in its header that readers pass over, as a journal's compressed files have it. */
const memberWithField = (content: Buffer): Buffer => {
  const field = Buffer.from("OB\u0002\u0000ab", "latin1")
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, field.length, 0])
  return Buffer.concat([head, field, deflateRawSync(content), trailer])
}

/** A compressed file of a member for each line. */
const packed = (text: string): Buffer =>
  Buffer.concat(
    text.split(/(?<=\n)/).map((line, index) => (index % 2 === 0 ? memberWithField(Buffer.from(line)) : gzipSync(line)))
  )

const second = 1_000
const instant = (after_ms: number) => new Date(openMs + after_ms).toISOString()
const captured = (capturedFrame("H0STCNT0-036").split("|")[3] ?? "").split("^")

/** A trade of the stream: what a record says, and the broker's values to it. Times are milliseconds since the open. */
const streamed = (symbol: string, at_ms: number, price: number, volume: number, cumVolume: number, side: string) => {
  const payload = [...captured]
  payload[0] = symbol
  payload[2] = String(price)
  payload[12] = String(volume)
  payload[13] = String(cumVolume)
  payload[21] = side
  return {
    kind: "trade",
    symbol,
    receivedAtMs: openMs + at_ms + 80,
    exchangeAtMs: openMs + at_ms,
    source: "kis-ws",
    account: "main",
    venue: "KRX",
    phase: "continuous",
    price,
    volume,
    cumVolume,
    quality: { flags: [], lagMs: 80 },
    payload
  } satisfies RecordDraft
}

const listed = (at_ms: number, price: number, volume: number, cumVolume: number): RecordDraft => ({
  kind: "trade",
  symbol: "005930",
  receivedAtMs: openMs + 130 * second,
  exchangeAtMs: openMs + at_ms,
  source: "backfill",
  venue: "KRX",
  price,
  volume,
  cumVolume,
  quality: { flags: ["backfill"] },
  payload: { stck_prpr: String(price), cnqn: String(volume), acml_vol: String(cumVolume) }
})

/** As one of the broker's lists has it: without what the volume had come to. */
const listedAlone = (at_ms: number): RecordDraft => {
  const { cumVolume: _, ...draft } = listed(at_ms, 181_500, 1, 0)
  return {
    ...draft,
    symbol: "000660",
    receivedAtMs: openMs + 134 * second,
    payload: { stck_prpr: "181500", cnqn: "1" }
  }
}

const book = (at_ms: number, ask: number, bid: number, flags: ReadonlyArray<string> = []): RecordDraft => {
  const payload = ["005930", "090000", "0", ...Array<string>(60).fill("0")]
  payload[3] = String(ask)
  payload[13] = String(bid)
  for (let level = 0; level < 10; level++) {
    payload[23 + level] = String(10 * (level + 1))
    payload[33 + level] = String(level + 1)
  }
  const at = { receivedAtMs: openMs + at_ms, source: "kis-ws", symbol: "005930" } as const
  return { ...at, kind: "book", venue: "KRX", ask, bid, quality: { flags, lagMs: 100 }, payload }
}

const quote = (symbol: string, at_ms: number, price: number, name: string, volume: number): RecordDraft => ({
  kind: "quote",
  symbol,
  receivedAtMs: openMs + at_ms,
  source: "kis-rest",
  price,
  cumVolume: volume,
  payload: { inter_shrn_iscd: symbol, inter_kor_isnm: name, inter2_prpr: String(price), acml_vol: String(volume) }
})

const hole = (at_ms: number, payload: object, symbol?: string): RecordDraft => ({
  kind: "gap",
  symbol,
  receivedAtMs: openMs + at_ms,
  source: "observer",
  payload: { ...payload, ...(symbol && { symbol }) }
})

const rejected = (at_ms: number, reason: string, raw: string): RecordDraft => ({
  kind: "reject",
  receivedAtMs: openMs + at_ms,
  source: "kis-rest",
  payload: { reason, raw }
})

/** What the counters of a stream miss between two seconds, or what came of it. */
const lost = (fromSecond: number, toSecond: number, what: object): RecordDraft =>
  hole(
    140 * second,
    { from: instant(fromSecond * second), to: instant(toSecond * second), cause: "continuity", ...what },
    "000660"
  )

const cut = { from: instant(80 * second), to: instant(125 * second), cause: "disconnect" }

/** The minutes after the open in the order in which they were written. */
const drafts: ReadonlyArray<RecordDraft> = [
  hole(0, { from: instant(-60 * second), to: instant(-30 * second), cause: "downtime" }),
  quote("005930", 0, 69_900, "삼성전자", 0),
  quote("000660", 500, 181_000, 'SK"하이닉스"', 7),
  streamed("005930", 1 * second, 70_000, 10, 10, "1"),
  book(1 * second, 70_100, 70_000),
  streamed("005930", 30 * second, 70_200, 5, 15, "1"),
  book(31 * second, 70_200, 70_000),
  streamed("005930", 70 * second, 69_900, 20, 35, "5"),
  book(71 * second, 70_100, 70_000),
  book(72 * second, 70_000, 70_100, ["auction"]),
  rejected(75 * second, "zeroPrice", "one"),
  hole(125 * second, cut, "005930"),
  listed(70 * second, 69_900, 20, 35),
  listed(90 * second, 70_000, 10, 45),
  listed(120 * second, 70_050, 4, 49),
  hole(131 * second, { ...cut, repairedBy: { source: "backfill", complete: true } }, "005930"),
  rejected(132 * second, "zeroPrice", "one"),
  rejected(133 * second, "frameShape", "0|H0STCNT0|002|a^b"),
  streamed("005930", 130 * second, 70_100, 1, 50, "1"),
  streamed("000660", 131 * second, 182_000, 2, 9, "5"),
  listedAlone(132 * second),
  listedAlone(133 * second),
  // Lost and found, and lost again between the same seconds; and another loss that begins in the same one.
  lost(135, 136, { lostTrades: 1, lostVolume: 4 }),
  lost(135, 136, { repairedBy: { source: "late", trades: 1, volume: 4, complete: true } }),
  lost(135, 136, { lostTrades: 2, lostVolume: 6 }),
  lost(135, 138, { lostTrades: 1, lostVolume: 2 }),
  lost(135, 138, { repairedBy: { source: "backfill", trades: 1, volume: 2, complete: true } })
]

/**
 * Lays a journal into a folder: a sealed file, one that is compressed, of several members, unless it is to be plain,,
 * one that is being written and ends in half a line, and a draft that is no file of the journal; with a manifest whose second line counts one line too many, and the
 * day's universe.
 */
export const layRecipesJournal = (dataDir: string, form: "plain" | "compressed"): void => {
  const number = makeNumberer("seoul-1")
  const records = drafts.map((draft, index) => number(draft, index + 1))
  const parts = [records.slice(0, 8), records.slice(8, 15), records.slice(15)]
  const [sealed = [], compressed = [], open = []] = parts
  const files = [
    lay(dataDir, "seoul-1", sealed),
    form === "plain"
      ? lay(dataDir, "seoul-1", compressed)
      : lay(dataDir, "seoul-1", compressed, { suffix: ".gz", packed }).slice(0, -".gz".length)
  ]
  writeFileSync(`${files[0]}.gz.new`, packed("half a draft\n").subarray(0, 40))
  lay(dataDir, "seoul-1", open, { suffix: ".open", tail: '{"v":1,"seq":28,"id":"01' })

  const day = dirname(dirname(files[0] ?? ""))
  const manifest = [sealed, compressed].map((part, index) => ({
    file: nameInDay((files[index] ?? "").slice(dataDir.length + 1)),
    firstSeq: part[0]?.seq,
    lastSeq: part.at(-1)?.seq,
    lines: part.length + index
  }))
  writeFileSync(join(day, "MANIFEST.jsonl"), manifest.map((line) => `${JSON.stringify(line)}\n`).join(""))
  const symbols = ["005930", "000660", "035420"].map((code) => ({ code, name: `name of ${code}`, market: "KOSPI" }))
  writeFileSync(join(day, "universe-0123456789ab.json"), JSON.stringify({ v: 1, symbols, indices: [{ code: "0001" }] }))
}
