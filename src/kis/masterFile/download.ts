import { Data, Effect, Schedule, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { reasonOf, userAgent } from "../KisHttp.ts"
import type { MasterName } from "../MasterFile.ts"

/** A master file that could not be had. `transient`: asking again soon may help. */
export class MasterFileUnavailable extends Data.TaggedError("MasterFileUnavailable")<{
  readonly file: string
  readonly detail: string
  readonly transient: boolean
}> {
  override get message() {
    return `${this.file}: ${this.detail}`
  }
}

/** The largest of the captured zips has 118,612 bytes. */
export const zip_bytes_max = 4 * 1_048_576

/** For one try, from the first byte sent to the last received. */
const answer_seconds_max = 20

const again = Schedule.exponential("1 second").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** Downloads one zip of master data from a host (`https://…`, without the path), in three tries at most; 4 MB at most. */
export const downloadMaster = Effect.fnUntraced(function* (masterUrl: string, name: MasterName) {
  const client = yield* HttpClient.HttpClient
  const unavailable = (detail: string, transient: boolean) =>
    new MasterFileUnavailable({ file: name, detail, transient })
  const url = `${masterUrl.replace(/\/+$/, "")}/common/master/${name}.zip`
  const request = HttpClientRequest.get(url).pipe(HttpClientRequest.setHeaders({ "user-agent": userAgent }))

  const once = Effect.gen(function* () {
    const response = yield* client.execute(request)
    if (response.status !== 200) {
      return yield* unavailable(`the host answered ${response.status}`, response.status >= 500)
    }
    const parts: Array<Uint8Array> = []
    let bytes = 0
    yield* Stream.runForEach(response.stream, (part) => {
      parts.push(part)
      bytes += part.length
      return bytes > zip_bytes_max
        ? Effect.fail(unavailable(`it is larger than ${zip_bytes_max} bytes`, false))
        : Effect.void
    })
    return new Uint8Array(Buffer.concat(parts))
  })
  return yield* once.pipe(
    Effect.timeoutOrElse({
      duration: answer_seconds_max * 1_000,
      orElse: () => Effect.fail(unavailable(`not all of it came within ${answer_seconds_max} s`, true))
    }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.mapError((error) => (error._tag === "MasterFileUnavailable" ? error : unavailable(reasonOf(error), true))),
    Effect.retry({ schedule: again, while: ({ transient }) => transient })
  )
})
