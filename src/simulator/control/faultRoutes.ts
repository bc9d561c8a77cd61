import { Result } from "effect"
import { faultLines, faultNames } from "../faults/faultKinds.ts"
import { parseFault } from "../faults/FaultScript.ts"
import { jsonReply } from "../Reply.ts"
import { badRequest, bodyOf, type Route, route } from "./Route.ts"
import type { Controlled } from "./routes.ts"

const example = `a fault as in a script, such as {"fault":"drop","rate":0.1,"for":30}; names: ${faultNames.join(", ")}`

export const faultRoutes = ({ faults }: Pick<Controlled, "faults">): ReadonlyArray<Route> => [
  route("GET", "/faults", "every kind of fault, and those that were put up", () =>
    jsonReply({ kinds: faultLines, faults: faults.list() })
  ),
  route("POST", "/faults", "puts a fault up; its times count from now", (call) => {
    const read = bodyOf(call)
    if (Result.isFailure(read)) return read.failure
    const fault = parseFault(read.success)
    if (Result.isFailure(fault)) return badRequest(fault.failure.problems, [example])
    const posted = faults.post(fault.success)
    return Result.isFailure(posted) ? badRequest([posted.failure]) : jsonReply(posted.success)
  }),
  route("DELETE", "/faults", "ends every fault", () =>
    jsonReply({ stopped: faults.list().flatMap(({ id, phase }) => (phase === "over" ? [] : (faults.stop(id) ?? []))) })
  ),
  route("DELETE", "/faults/:id", "ends one fault", (_call, id) => {
    const stopped = faults.stop(Number(id))
    const ids = faults.list().map((each) => String(each.id))
    return stopped === undefined ? badRequest([`there is no fault ${id.slice(0, 40)}`], ids) : jsonReply(stopped)
  })
]
