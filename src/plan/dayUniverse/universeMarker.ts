import type { RecordDraft } from "../../domain/JournalRecord.ts"
import type { LastUniverse } from "../LastUniverse.ts"
import { observedOf, type Universe } from "../Universe.ts"
import { codesBetween, type UniverseDiff } from "../UniverseDiff.ts"

/**
 * What the record says of a universe: from here on its dated file tells what is observed. `added` and `removed` are
 * against what the record said before, which `previous` names; before the first time there is nothing to compare with.
 */
export const universeMarker = (
  universe: Universe,
  { rebased }: Pick<UniverseDiff, "rebased">,
  last: LastUniverse | undefined,
  receivedAtMs: number
): RecordDraft => {
  const { date, file, indices, rule, sha256, source, symbols } = universe
  const between = last === undefined ? { added: [], removed: [] } : codesBetween(last.codes, observedOf(universe))
  const payload = {
    event: "universe",
    date,
    file,
    sha256,
    ...(last === undefined ? {} : { previous: last.sha256 }),
    symbols: symbols.length,
    indices: indices.length,
    ...between,
    ...(rebased.length === 0 ? {} : { rebased: rebased.map(({ code }) => code) }),
    rule,
    list: source.list,
    listDate: source.date
  }
  return { kind: "marker", receivedAtMs, source: "observer", payload }
}
