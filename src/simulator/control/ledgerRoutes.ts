import { tailLines_max } from "../Ledger.ts"
import { jsonReply } from "../Reply.ts"
import { badRequest, type Route, route } from "./Route.ts"
import type { Controlled } from "./routes.ts"

const tailLines = 50

export const ledgerRoutes = ({ ledger }: Pick<Controlled, "ledger">): ReadonlyArray<Route> => [
  route("GET", "/ledger", "totals of what was put on the wire", () => jsonReply(ledger.report())),
  route("GET", "/ledger/tail", `its newest lines; ?count=${tailLines}`, ({ url }) => {
    const count = Number(url.searchParams.get("count") ?? tailLines)
    return Number.isInteger(count) && count >= 1 && count <= tailLines_max
      ? jsonReply({ lines: ledger.tail(count) })
      : badRequest(["count is not allowed"], [`a whole number from 1 to ${tailLines_max}`])
  })
]
