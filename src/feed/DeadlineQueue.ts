interface Ticket<A> {
  readonly item: A
  readonly deadline: number
  /** Among equals, who came first goes first. */
  readonly turn: number
}

const isBefore = <A>(a: Ticket<A>, b: Ticket<A>): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.turn < b.turn)

/**
 * Things by their deadline, the earliest first: a binary heap. A thing is in it at most once; put in again, it moves to
 * its new deadline, and what it leaves behind is passed over when it comes to the top.
 */
export class DeadlineQueue<A> {
  private readonly heap: Array<Ticket<A>> = []
  private readonly current = new Map<A, Ticket<A>>()
  private turns = 0

  get size(): number {
    return this.current.size
  }

  put(item: A, deadline: number): void {
    const ticket = { item, deadline, turn: this.turns++ }
    this.current.set(item, ticket)
    this.heap.push(ticket)
    this.rise(this.heap.length - 1)
    // What was left behind must not outgrow what is there.
    if (this.heap.length > 2 * this.current.size + 64) this.rebuild()
  }

  remove(item: A): void {
    this.current.delete(item)
  }

  /** The deadline of what `take` would give. */
  get earliest(): number | undefined {
    return this.head()?.deadline
  }

  /** What `take` would give. */
  get first(): A | undefined {
    return this.head()?.item
  }

  /** Takes out the thing with the earliest deadline. */
  take(): A | undefined {
    const first = this.head()
    if (first === undefined) return undefined
    this.drop()
    this.current.delete(first.item)
    return first.item
  }

  /** The first ticket that counts; those left behind before it are thrown away. */
  private head(): Ticket<A> | undefined {
    while (true) {
      const first = this.heap[0]
      if (first === undefined || this.current.get(first.item) === first) return first
      this.drop()
    }
  }

  private drop(): void {
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return
    this.heap[0] = last
    this.sink(0)
  }

  private rebuild(): void {
    this.heap.length = 0
    for (const ticket of this.current.values()) {
      this.heap.push(ticket)
      this.rise(this.heap.length - 1)
    }
  }

  private rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.swapIfBefore(at, parent)) return
      at = parent
    }
  }

  private sink(from: number): void {
    let at = from
    while (true) {
      const left = 2 * at + 1
      const right = left + 1
      const a = this.heap[left]
      if (a === undefined) return
      const b = this.heap[right]
      const child = b !== undefined && isBefore(b, a) ? right : left
      if (!this.swapIfBefore(child, at)) return
      at = child
    }
  }

  private swapIfBefore(lower: number, upper: number): boolean {
    const a = this.heap[lower]
    const b = this.heap[upper]
    if (a === undefined || b === undefined || !isBefore(a, b)) return false
    this.heap[lower] = b
    this.heap[upper] = a
    return true
  }
}
