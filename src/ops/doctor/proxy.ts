import { Effect } from "effect"
import type { MachineCheck } from "../Doctor.ts"
import { ok, warn } from "./Finding.ts"

const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]

/** Only the names: an address may hold a password. */
export const proxy: MachineCheck = {
  name: "proxy",
  look: ({ env }) =>
    Effect.sync(() => {
      const set = proxies.filter((each) => (env[each] ?? "") !== "")
      if (set.length === 0) return [ok("proxy", "none is set")]
      const words = `${set.join(" and ")} ${set.length === 1 ? "is" : "are"} set, and not used: the broker is asked directly`
      return [
        warn("proxy", words, "let this machine reach the broker's ports directly; the lines below say whether it can")
      ]
    })
}
