// Keeps the newest of many objects for a while, as the journal keeps records, and says how many bytes the heap of old objects
// came to at the most; bounded, if so asked.
import { getHeapSpaceStatistics } from "node:v8"
import { boundHeap } from "../../src/boundHeap.ts"

if (process.argv[2] === "bounded") boundHeap()
const kept: Array<ReadonlyArray<number>> = []
const keep = 20_000
let most = 0
for (let at = 0; at < 200_000; at += 1) {
  kept[at % keep] = Array<number>(200).fill(at)
  if (at % 1_000 === 0) {
    const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")
    most = Math.max(most, old?.physical_space_size ?? 0)
  }
}
process.stdout.write(String(most))
