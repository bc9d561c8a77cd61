import { Data, Result, Schema, SchemaIssue } from "effect"
import { refusalTexts } from "../Refusal.ts"
import { streamTexts } from "../stream/StreamRequest.ts"
import { Fault } from "./Fault.ts"
import { kindOf } from "./faultKinds.ts"

/** A fault or a script that says something impossible: what, and where. */
export class FaultScriptInvalid extends Data.TaggedError("FaultScriptInvalid")<{
  readonly problems: ReadonlyArray<string>
}> {
  override get message() {
    return this.problems.join("; ")
  }
}

const Script = Schema.Struct({ faults: Schema.Array(Fault) })
const options = { errors: "all", onExcessProperty: "error" } as const
const readFault = Schema.decodeUnknownResult(Fault, options)
const readScript = Schema.decodeUnknownResult(Script, options)
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const pathText = (path: ReadonlyArray<unknown>): string =>
  path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? String(part) : `.${String(part)}`))
    .join("")

const problemsOf = (error: Schema.SchemaError): ReadonlyArray<string> =>
  issuesOf(error.issue).issues.map(({ message, path }) => {
    const place = pathText((path ?? []).map((part) => (typeof part === "object" ? part.key : part)))
    return place === "" ? message : `${place}: ${message}`
  })

/** What the settings of a fault have wrong between themselves, each line beginning with `at`. */
const conflicts = (fault: Fault, at: string): ReadonlyArray<string> => {
  const { settings } = kindOf(fault.fault)
  const common = new Set(["fault", "from", "for", "count", "rate", "where"])
  const own = Object.keys(settings)
  const strange = Object.keys(fault).filter((name) => !common.has(name) && !own.includes(name))
  const allowed = own.length === 0 ? "it has no settings of its own" : `of its own it has ${own.join(", ")}`
  const codes = fault.fault === "storm" ? refusalTexts : streamTexts
  return [
    ...strange.map((name) => `${at}${name}: ${fault.fault} does not take it; ${allowed}`),
    ...(fault.code !== undefined && "code" in settings && !Object.hasOwn(codes, fault.code)
      ? [`${at}code: ${fault.code} is not one of ${Object.keys(codes).join(", ")}`]
      : [])
  ]
}

const checked = <A>(value: A, problems: ReadonlyArray<string>): Result.Result<A, FaultScriptInvalid> =>
  problems.length === 0 ? Result.succeed(value) : Result.fail(new FaultScriptInvalid({ problems }))

/** Reads one fault, as the control API is given it. */
export const parseFault = (value: unknown): Result.Result<Fault, FaultScriptInvalid> =>
  Result.match(readFault(value), {
    onFailure: (error) => Result.fail(new FaultScriptInvalid({ problems: problemsOf(error) })),
    onSuccess: (fault) => checked(fault, conflicts(fault, ""))
  })

/** Reads a script, `{ "faults": [ … ] }`; fails with every problem and its place. */
export const parseFaultScript = (text: string): Result.Result<ReadonlyArray<Fault>, FaultScriptInvalid> => {
  const json = Result.try({ try: (): unknown => JSON.parse(text), catch: (cause) => String(cause) })
  if (Result.isFailure(json)) {
    return Result.fail(new FaultScriptInvalid({ problems: [`it is not JSON (${json.failure})`] }))
  }
  return Result.match(readScript(json.success), {
    onFailure: (error) => Result.fail(new FaultScriptInvalid({ problems: problemsOf(error) })),
    onSuccess: ({ faults }) =>
      checked(
        faults,
        faults.flatMap((fault, at) => conflicts(fault, `faults[${at}].`))
      )
  })
}
