import { olderText } from "./KeptFrom.ts"
import type { Reconciliation } from "./Reconcile.ts"

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
