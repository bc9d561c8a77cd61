import type { Deferred, Tracer } from "effect"
import type { RecordDraft } from "../../domain/JournalRecord.ts"
import type { DiskError } from "../Disk.ts"
import type { CompressedFile, ManifestLine } from "../Manifest.ts"
import type { AppendOrigin } from "../Producers.ts"

export interface AppendedRange {
  readonly first: number
  readonly last: number
}

/** Told whether drafts are in the journal, in the step in which that is decided, even when their sender no longer waits. */
export type Told = (isWritten: boolean) => void

/** What is asked of the writer; each is done in its turn. */
export type Request =
  | {
      readonly _tag: "Append"
      readonly drafts: ReadonlyArray<RecordDraft>
      readonly origin?: AppendOrigin
      readonly done: Deferred.Deferred<AppendedRange>
      readonly tell: Told
      /** The span it is asked in, where somebody traces. */
      readonly sender?: Tracer.AnySpan | undefined
    }
  | { readonly _tag: "Rotate" }
  /** Asks for nothing but an answer: that the writer takes its turns. */
  | { readonly _tag: "Turn"; readonly done: Deferred.Deferred<void> }
  | { readonly _tag: "Seal"; readonly done: Deferred.Deferred<void> }
  | {
      readonly _tag: "EnterCompressed"
      readonly day: string
      readonly sealed: ManifestLine
      readonly gzip: CompressedFile
      readonly done: Deferred.Deferred<void, DiskError>
    }
  | { readonly _tag: "Close"; readonly done: Deferred.Deferred<void> }
