import { Context, Effect } from "effect"
import { performance } from "node:perf_hooks"
import { getHeapStatistics } from "node:v8"

/** How this process fares on its machine. */
export interface MachineLook {
  /** Share of the time since the last look in which the event loop was at work, 0 to 1: near 1, everything is late. */
  readonly loopBusy_share: number
  readonly heapUsed_bytes: number
  /** Where the process is ended for want of memory. */
  readonly heapLimit_bytes: number
}

const ofNode = () => {
  let before = performance.eventLoopUtilization()
  return Effect.sync((): MachineLook => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    const { heap_size_limit, used_heap_size } = getHeapStatistics()
    return { loopBusy_share: utilization, heapUsed_bytes: used_heap_size, heapLimit_bytes: heap_size_limit }
  })
}

/** Makes the look; each maker has its own measure of what lies between two looks. */
export const MachineLooks = Context.Reference<() => Effect.Effect<MachineLook>>("observer/ops/alerts/MachineLooks", {
  defaultValue: () => ofNode
})
