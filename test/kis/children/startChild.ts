// A process that starts as an account does: token, approval key, permission to connect, connection. It tells its parent
// every stage and every line it logs, and stays until it is killed.
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Logger, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { createHash } from "node:crypto"
import { makeApprovalKey } from "../../../src/kis/ApprovalKey.ts"
import { makeGovernor } from "../../../src/kis/Governor.ts"
import { exchange, type KisCall } from "../../../src/kis/KisHttp.ts"
import { connect } from "../../../src/kis/StreamSocket.ts"
import { makeToken } from "../../../src/kis/Token.ts"
import { accountAt } from "../../support/accounts.ts"

const [, , stateDir = "", restUrl = "", wsUrl = ""] = process.argv
const account = accountAt({ restUrl, wsUrl })

const tell = (message: { readonly stage?: string; readonly logged?: string }) =>
  Effect.callback<void>((resume) => {
    process.send?.(message, () => resume(Effect.void))
  })
const mark = (secret: Redacted.Redacted) => createHash("sha256").update(Redacted.value(secret)).digest("hex")

const start = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const call: KisCall = (request) => Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  yield* tell({ stage: "started" })
  const token = yield* makeToken(account, stateDir, call)
  const approval = yield* makeApprovalKey(account, stateDir, call)
  const governor = yield* makeGovernor(account, stateDir)
  yield* tell({ stage: "made" })
  yield* tell({ stage: `token ${mark(yield* token.current)}` })
  yield* tell({ stage: `approval ${mark(yield* approval.current)}` })
  yield* governor.permit
  yield* tell({ stage: "permitted" })
  yield* connect(wsUrl, () => 0)
  yield* tell({ stage: "connected" })
  return yield* Effect.never
})

const heard = Logger.layer([
  Logger.make(({ message }) => void process.send?.({ logged: JSON.stringify(message) ?? String(message) }))
])
process.on("disconnect", () => process.exit(0))
void Effect.runPromise(
  Effect.scoped(start).pipe(
    Effect.catch((error) => tell({ stage: `failed: ${String(error)}` })),
    Effect.provide([NodeHttpClient.layerUndici, heard])
  )
)
