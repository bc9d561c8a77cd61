import { olderText } from "./KeptFrom.ts"
import type { Reconciliation } from "./Reconcile.ts"

export const bar = (share: number, width: number): string => {
  const full = Math.round(share * width)
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`
}

export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** How far a pass over the archive has come. */
export interface Progress {
  /** Bytes of the archive that are done. */
  readonly bytes: number
  readonly elapsed_ms: number
  readonly rowsPerSecond: number
}

/** One line: how much of the archive is done, how fast, how long it will take. */
export const renderProgress = (progress: Progress, totalBytes: number, width: number): string => {
  const share = totalBytes === 0 ? 1 : Math.min(1, progress.bytes / totalBytes)
  const left_seconds = share === 0 ? 0 : (progress.elapsed_ms / 1_000) * (1 / share - 1)
  const words = `${Math.floor(share * 100)} %  ${progress.rowsPerSecond} rows/s  ${duration(left_seconds)} left`
  const room = Math.max(10, Math.min(40, width - words.length - 6))
  return `${bar(share, room)} ${words}   `
}

const verdictOf = ({ doubled, keptFrom, missing, older, surplus }: Reconciliation): string => {
  const words = [
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(keptFrom === undefined ? [] : [olderText(older, keptFrom)]),
    ...(surplus > 0 ? [`${surplus} rows of records that are not in these files`] : []),
    ...(doubled.length > 0
      ? [`two rows each of seq ${doubled.join(", ")}${doubled.length < surplus ? ", …" : ""}`]
      : [])
  ]
  return words.length === 0 ? "equal" : words.join("; ")
}

/** Files against rows, a line a node. */
export const renderReconciliation = (heading: string, nodes: ReadonlyArray<Reconciliation>): ReadonlyArray<string> =>
  nodes.map((found) => {
    const { dataLines, firstSeq, lastSeq, node, refused, rows } = found
    const kept = refused > 0 ? `, ${refused} refused and kept in ingest_errors` : ""
    return `${heading}: ${node} seq ${firstSeq}–${lastSeq}: ${dataLines} data lines, ${rows} rows${kept}: ${verdictOf(found)}`
  })
