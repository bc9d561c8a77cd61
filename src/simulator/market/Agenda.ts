interface Appointment {
  readonly atMs: number
  readonly order: number
  run(atMs: number): void
}

const isBefore = (a: Appointment, b: Appointment) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** What is to happen at some instant of market time; of two at the same instant the one made first. A binary heap. */
export interface Agenda {
  /** The instant of the next appointment; infinity when there is none. */
  readonly nextMs: () => number
  add(atMs: number, run: (atMs: number) => void): void
  /** Takes the next appointment off and runs it. */
  runNext(): void
  clear(): void
}

export const makeAgenda = (): Agenda => {
  const heap: Array<Appointment> = []
  let orders = 0

  const swap = (a: number, b: number) => {
    const one = heap[a]
    const other = heap[b]
    if (one === undefined || other === undefined) return
    heap[a] = other
    heap[b] = one
  }
  const isLess = (a: number, b: number): boolean => {
    const one = heap[a]
    const other = heap[b]
    return one !== undefined && other !== undefined && isBefore(one, other)
  }
  const sink = () => {
    for (let at = 0; ;) {
      let least = at
      if (isLess(2 * at + 1, least)) least = 2 * at + 1
      if (isLess(2 * at + 2, least)) least = 2 * at + 2
      if (least === at) return
      swap(at, least)
      at = least
    }
  }

  return {
    nextMs: () => heap[0]?.atMs ?? Number.POSITIVE_INFINITY,
    add: (atMs, run) => {
      heap.push({ atMs, order: ++orders, run })
      for (let at = heap.length - 1; at > 0 && isLess(at, (at - 1) >> 1); at = (at - 1) >> 1) swap(at, (at - 1) >> 1)
    },
    runNext: () => {
      const next = heap[0]
      if (next === undefined) return
      const last = heap.pop()
      if (last !== undefined && heap.length > 0) {
        heap[0] = last
        sink()
      }
      next.run(next.atMs)
    },
    clear: () => void (heap.length = 0)
  }
}
