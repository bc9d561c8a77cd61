import { Data, type Effect } from "effect"

/** A file below the data folder, or, under `logs/`, of the log folder; always with `/`. */
export interface TargetFile {
  readonly file: string
  readonly bytes: number
}

export interface HashedFile extends TargetFile {
  readonly sha256: string
}

/** What a look at the target has found of a file. */
export type Found = "same" | "missing" | "damaged"

/** Told of bytes that are done, as they are done; never waits. */
export type OnBytes = (bytes: number) => void

const reasons = {
  /** The program is not there, or too old. */
  program: false,
  unreachable: true,
  full: false,
  /** It neither answered nor ended in time. */
  silent: true,
  /** It says no, or is not the place it should be. */
  refused: false,
  failed: true
} as const
export type TargetReason = keyof typeof reasons

/** The target cannot be used now; `detail` says why and what to do, and never holds a password. */
export class TargetError extends Data.TaggedError("TargetError")<{
  readonly target: string
  readonly reason: TargetReason
  readonly detail: string
}> {
  override get message() {
    return `${this.target}: ${this.detail}`
  }
  /** Whether the same may go well a little later. */
  get retryable() {
    return reasons[this.reason]
  }
}

export interface SendOptions {
  /** Send files whose length and time are right, too: their content is not. */
  readonly again: boolean
  readonly onBytes: OnBytes
}

export interface CheckOptions {
  /** A folder that has the files with these very hashes; without one the target is read through. */
  readonly root?: string | undefined
  /** An empty folder that may be used. */
  readonly scratch: string
  readonly onBytes: OnBytes
}

/**
 * A place for copies. Its layout is that of the data folder. Every effect is interruptible, ends by itself when the other
 * side says nothing, and may be done again.
 */
export interface BackupTarget {
  /** As receipts and people name it, without a password. */
  readonly name: string
  /** Where it lies, if it is known to be on this machine. */
  readonly localPath?: string
  /** Finds and checks the program that is needed. */
  readonly prepare: Effect.Effect<void, TargetError>
  /** Brings files from below `root`, and goes on with what an ended transfer left; gives a complaint of single files. */
  readonly send: (
    root: string,
    files: ReadonlyArray<TargetFile>,
    options: SendOptions
  ) => Effect.Effect<string | undefined, TargetError>
  /** Holds what is at the target against hashes. */
  readonly check: (
    files: ReadonlyArray<HashedFile>,
    options: CheckOptions
  ) => Effect.Effect<ReadonlyMap<string, Found>, TargetError>
  /** What is there, below some folders (`2026/11/20`) or everywhere; hidden names left out. */
  readonly list: (folders?: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TargetFile>, TargetError>
  /** Brings files back below `root`; gives a complaint of single files. What is not there does not arrive. */
  readonly fetch: (
    root: string,
    files: ReadonlyArray<TargetFile>,
    onBytes: OnBytes
  ) => Effect.Effect<string | undefined, TargetError>
}

/** A kind of target: how its address is written, and what is at it. */
export interface TargetKind {
  /** In words that follow "allowed: ". */
  readonly allowed: string
  /** `undefined` when the address is not of this kind; throws a sentence when it is and is wrong. */
  readonly parse: (address: string) => BackupTarget | undefined
}
