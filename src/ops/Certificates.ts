import { Context, Effect, Layer } from "effect"
import { join } from "node:path"
import { dayFolder } from "../calendar/MarketTime.ts"
import { Disk, type DiskError } from "../journal/Disk.ts"
import { listDays } from "../journal/Segments.ts"
import { certificateFiles } from "../journal/Signature.ts"
import { readWhole } from "../journal/wholeFile.ts"
import { type Verdict, verdicts } from "./certificate/Certificate.ts"

/** What is said of a certified day in a list. */
export interface CertifiedDay {
  /** `YYYY-MM-DD`. */
  readonly day: string
  readonly verdict: Verdict
  /** UTC. */
  readonly madeAt: string
}

/** The newest days of a list: two years of trading. */
const listed_max = 500
/** The verdict stands at the head of a certificate, whose rest may be a megabyte. */
const head_bytes = 1_024

const textAfter = (head: string, key: string) => new RegExp(`"${key}": "([^"]*)"`).exec(head)?.[1]

/** What a certificate says of itself in its first lines. */
export const readHead = Effect.fnUntraced(function* (dataDir: string, folder: string) {
  const disk = yield* Disk
  const path = join(dataDir, folder, certificateFiles.json)
  if ((yield* disk.size(path)) === undefined) return undefined
  const head = Buffer.from(yield* disk.readAt(path, 0, head_bytes)).toString("utf8")
  const [day, madeAt, said] = ["day", "madeAt", "verdict"].map((key) => textAfter(head, key))
  const verdict = verdicts.find((each) => each === said)
  return day === undefined || madeAt === undefined || verdict === undefined
    ? undefined
    : ({ day, verdict, madeAt } satisfies CertifiedDay)
})

/** The certificates of a data folder, as they lie in the folders of their days. */
export class Certificates extends Context.Service<
  Certificates,
  {
    /** The newest first. */
    readonly list: Effect.Effect<ReadonlyArray<CertifiedDay>, DiskError>
    /** A day's certificate (`YYYY-MM-DD`) as its file has it, or its page; `undefined` where there is none. */
    text(day: string, form: "json" | "html"): Effect.Effect<string | undefined, DiskError>
  }
>()("observer/ops/Certificates") {
  static readonly layer = (dataDir: string) =>
    Layer.effect(
      Certificates,
      Effect.map(Disk, (disk) => {
        const list = Effect.gen(function* () {
          const days = (yield* listDays(dataDir)).toReversed()
          const found: Array<CertifiedDay> = []
          for (const folder of days) {
            if (found.length >= listed_max) break
            const head = yield* readHead(dataDir, folder)
            if (head !== undefined) found.push(head)
          }
          return found
        })
        return Certificates.of({
          list: Effect.provideService(list, Disk, disk),
          text: (day, form) =>
            Effect.provideService(
              readWhole(join(dataDir, dayFolder(day.replaceAll("-", "")), certificateFiles[form])),
              Disk,
              disk
            )
        })
      })
    )
}
