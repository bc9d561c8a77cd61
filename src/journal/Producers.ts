import type { AppendedRange } from "./journalWriter/Request.ts"

/**
 * Who appends, and which of its messages: numbers only rise. An append with a number that was written already writes
 * nothing, so that a message handled again after a crash is in the journal once.
 */
export interface AppendOrigin {
  readonly producer: string
  readonly number: number
}

interface Sent {
  readonly origin?: AppendOrigin
}

/**
 * The newest number of each producer. Kept in memory only: producers number the messages of their mailboxes, and those
 * do not outlive the process either.
 */
export class Producers {
  private readonly newest = new Map<string, { readonly number: number; readonly range: AppendedRange }>()

  /** The appends that are not repeats, neither of what was written nor of one before them. */
  fresh<A extends Sent>(appends: ReadonlyArray<A>): ReadonlyArray<A> {
    const numbers = new Map<string, number>()
    return appends.filter(({ origin }) => {
      if (origin === undefined) return true
      const { number, producer } = origin
      if (number <= (numbers.get(producer) ?? this.newest.get(producer)?.number ?? 0)) return false
      numbers.set(producer, number)
      return true
    })
  }

  wrote(origin: AppendOrigin | undefined, range: AppendedRange): void {
    if (origin !== undefined) this.newest.set(origin.producer, { number: origin.number, range })
  }

  /** Where the newest append of a producer went, for one that is repeated. */
  newestOf({ producer }: AppendOrigin): AppendedRange | undefined {
    return this.newest.get(producer)?.range
  }
}
