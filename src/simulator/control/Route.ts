import { Result, Schema, SchemaIssue } from "effect"
import type { HttpCall } from "../HttpDoor.ts"
import { jsonReply, type Reply } from "../Reply.ts"

/** One thing the control API does. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE"
  /** Below `/simulator`; a last part of `:id` takes any one part. */
  readonly path: string
  /** In a few words, for whoever asks for a path that is not there. */
  readonly does: string
  /** The part that `:id` stands for, "" where there is none; `undefined` when the path is another. */
  match(path: string): string | undefined
  answer(call: HttpCall, id: string): Reply
}

export const route = (
  method: Route["method"],
  path: string,
  does: string,
  answer: (call: HttpCall, id: string) => Reply
): Route => {
  const [stem = "", id] = path.split(":")
  const match = (given: string) => {
    if (id === undefined) return given === path ? "" : undefined
    const rest = given.startsWith(stem) ? given.slice(stem.length) : ""
    return rest !== "" && !rest.includes("/") ? rest : undefined
  }
  return { method, path, does, match, answer }
}

export const badRequest = (problems: ReadonlyArray<string>, allowed?: ReadonlyArray<string>): Reply =>
  jsonReply({ error: problems.join("; "), ...(allowed && { allowed }) }, {}, 400)

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The JSON of a body; an empty one is an empty object. */
export const bodyOf = ({ body }: HttpCall): Result.Result<unknown, Reply> =>
  Result.try({
    try: (): unknown => (body.trim() === "" ? {} : JSON.parse(body)),
    catch: () => badRequest(["the body is not JSON"])
  })

/** A route that takes a JSON object of this shape; anything else is answered with what is wrong and what is allowed. */
export const withBody =
  <A>(schema: Schema.Codec<A, unknown>, allowed: string, answer: (given: A) => Reply) =>
  (call: HttpCall): Reply => {
    const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })
    const read = Result.flatMap(bodyOf(call), (given) =>
      Result.mapError(decode(given), (error) =>
        badRequest(
          issuesOf(error.issue).issues.map(({ message, path = [] }) => [...path.map(String), message].join(": ")),
          [allowed]
        )
      )
    )
    return Result.isFailure(read) ? read.failure : answer(read.success)
  }
