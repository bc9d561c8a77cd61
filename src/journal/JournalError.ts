import { Data } from "effect"

/** The data folder cannot be written: missing rights, a full disk, or another observer that owns it. Ends a start with exit code 73. */
export class JournalUnwritable extends Data.TaggedError("JournalUnwritable")<{
  readonly path: string
  readonly detail: string
}> {
  override get message() {
    return `cannot write ${this.path}: ${this.detail}`
  }
}

/** A stored file cannot be read as the journal it should be. */
export class JournalReadError extends Data.TaggedError("JournalReadError")<{
  readonly file: string
  readonly detail: string
}> {
  override get message() {
    return `journal file ${this.file}: ${this.detail}`
  }
}
