// Judges what a run of the built program has left behind, by the formats alone: nothing of src/ is used here.
//   wait <data> <symbols> <seconds>   until so many symbols are in the journal
//   records <data> <symbols>          lines, keys, numbering, symbols
//   manifest <data>                   sealed files against MANIFEST.jsonl and SHA256SUMS
//   log <log>                         observer.log is JSON lines
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"

// prettier-ignore
const keys = [
  "v", "seq", "id", "kind", "symbol", "receivedAt", "exchangeAt", "source", "account", "venue", "phase",
  "price", "volume", "cumVolume", "ask", "bid", "quality", "payload"
]
const required = ["v", "seq", "id", "kind", "receivedAt", "source", "payload"]
const kinds = ["trade", "book", "quote", "index", "gap", "reject", "marker"]
const segment = /-(\d{12,})\.jsonl(\.gz|\.open)?$/

/** What is wrong with one record, in words; undefined if nothing is. */
export const recordProblem = (record) => {
  const names = Object.keys(record)
  const inOrder = names.map((name) => keys.indexOf(name))
  if (inOrder.some((place, index) => place < 0 || (index > 0 && place <= inOrder[index - 1]))) {
    return `its keys are ${names.join(", ")}`
  }
  const missing = required.filter((name) => !(name in record))
  if (missing.length > 0) return `it has no ${missing.join(", ")}`
  if (names.some((name) => record[name] === null)) return "it holds null"
  if (record.v !== 1) return `its version is ${record.v}`
  if (!kinds.includes(record.kind)) return `its kind is ${record.kind}`
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(record.id))
    return `its id is ${record.id}`
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(record.receivedAt)) return `receivedAt is ${record.receivedAt}`
  if ("symbol" in record && !/^[0-9A-Z]{4,9}$/.test(record.symbol)) return `its symbol is ${record.symbol}`
  if (["trade", "quote"].includes(record.kind) && !(record.price > 0)) return `its price is ${record.price}`
  return undefined
}

/** Every problem of a journal: lines that are no records, holes in `seq`, too few symbols. */
export const journalProblems = (dataDir, symbolsMin) => {
  const problems = []
  const symbols = new Set()
  let seq = 0
  for (const file of segmentsOf(dataDir)) {
    const text = textOf(file)
    if (!text.endsWith("\n")) problems.push(`${file}: the last line has no end`)
    for (const line of text.split("\n").slice(0, -1)) {
      seq++
      const record = parsed(line)
      const problem = record === undefined ? "it is not JSON" : recordProblem(record)
      if (problem !== undefined) problems.push(`${file}: the line that should be seq ${seq}: ${problem}`)
      if (record === undefined) continue
      if (record.seq !== seq) problems.push(`${file}: seq ${record.seq} stands where ${seq} should`)
      seq = record.seq
      if (record.symbol !== undefined && ["trade", "quote"].includes(record.kind)) symbols.add(record.symbol)
    }
  }
  if (seq === 0) problems.push(`${dataDir}: there is no record`)
  if (symbols.size < symbolsMin) problems.push(`${symbols.size} symbols were seen, not ${symbolsMin}`)
  return problems
}

/** Every record of a journal, file after file. */
export function* recordsOf(dataDir) {
  for (const file of segmentsOf(dataDir)) {
    for (const line of textOf(file).split("\n").slice(0, -1)) yield JSON.parse(line)
  }
}

/** Every problem of the manifests: files that are not sealed, not entered, or not what was entered. */
export const manifestProblems = (dataDir) => {
  const problems = []
  const entered = new Set()
  for (const manifest of filesOf(dataDir).filter((file) => basename(file) === "MANIFEST.jsonl")) {
    const day = dirname(manifest)
    const sums = readFileSync(join(day, "SHA256SUMS"), "utf8")
    for (const line of readFileSync(manifest, "utf8").trimEnd().split("\n")) {
      const { bytes, file, firstSeq, gzip, lastSeq, lines, sha256 } = JSON.parse(line)
      const path = [join(day, file), `${join(day, file)}.gz`].find(existsSync)
      if (path === undefined) {
        problems.push(`${manifest}: ${file} is not there`)
        continue
      }
      entered.add(path)
      const text = textOf(path)
      if (createHash("sha256").update(text).digest("hex") !== sha256)
        problems.push(`${path}: another digest than ${manifest} says`)
      if (Buffer.byteLength(text) !== bytes) problems.push(`${path}: not ${bytes} bytes`)
      if (text.split("\n").length - 1 !== lines || lastSeq - firstSeq + 1 !== lines)
        problems.push(`${path}: not ${lines} lines`)
      const listed = gzip === undefined ? `${sha256}  ${file}` : `${gzip.sha256}  ${gzip.file}`
      if (!sums.split("\n").includes(listed)) problems.push(`${day}/SHA256SUMS: ${file} is missing`)
    }
  }
  for (const file of segmentsOf(dataDir)) if (!entered.has(file)) problems.push(`${file}: in no manifest`)
  if (entered.size === 0) problems.push(`${dataDir}: no file was sealed`)
  return problems
}

const logProblems = (logDir) => {
  const lines = readFileSync(join(logDir, "observer.log"), "utf8").trimEnd().split("\n")
  return lines.flatMap((line, index) => {
    const entry = parsed(line)
    const whole = entry !== undefined && ["time", "level", "message"].every((key) => key in entry)
    return whole ? [] : [`observer.log, line ${index + 1}: ${line.slice(0, 200)}`]
  })
}

const waitFor = async (dataDir, symbolsMin, seconds) => {
  const until = Date.now() + seconds * 1_000
  for (;;) {
    const symbols = new Set()
    for (const file of segmentsOf(dataDir)) {
      for (const [, symbol] of textOf(file).matchAll(/"kind":"(?:trade|quote)","symbol":"([0-9A-Z]+)"/g))
        symbols.add(symbol)
    }
    if (symbols.size >= symbolsMin) return []
    if (Date.now() > until) return [`${symbols.size} symbols were seen within ${seconds} s, not ${symbolsMin}`]
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const filesOf = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : []

/** Every file of the journal by its first `seq`; one that is there plain and compressed counts once. */
export const segmentsOf = (dataDir) => {
  const files = filesOf(dataDir).filter(
    (file) => segment.test(file) && !relative(dataDir, file).startsWith("quarantine")
  )
  const all = new Set(files)
  return files
    .filter((file) => !(file.endsWith(".gz") && all.has(file.slice(0, -3))))
    .sort((a, b) => Number(segment.exec(a)[1]) - Number(segment.exec(b)[1]))
}

/** A file may be sealed, and so renamed, or compressed between being listed and being read. */
export const textOf = (file) => {
  const plain = file.replace(/\.(open|gz)$/, "")
  const path = [file, plain, `${plain}.gz`].find(existsSync)
  const bytes = readFileSync(path)
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")
}

const parsed = (line) => {
  try {
    const value = JSON.parse(line)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, folder, ...numbers] = process.argv.slice(2)
  const [first, second] = numbers.map(Number)
  const judges = {
    wait: () => waitFor(folder, first, second),
    records: () => journalProblems(folder, first),
    manifest: () => manifestProblems(folder),
    log: () => logProblems(folder)
  }
  const problems = await judges[what]()
  for (const problem of problems.slice(0, 20)) console.error(problem)
  if (problems.length > 0) process.exit(1)
}
