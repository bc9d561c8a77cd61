import { Effect } from "effect"
import { existsSync } from "node:fs"
import type { MachineCheck } from "../Doctor.ts"
import { ok } from "./Finding.ts"

/** Whether somebody else starts it again, and where its folders and ports really are. */
export const surroundings: MachineCheck = {
  name: "surroundings",
  look: ({ env }) =>
    Effect.sync(() => {
      const container = ["/.dockerenv", "/run/.containerenv"].some((file) => existsSync(file))
      const systemd = env["INVOCATION_ID"] !== undefined
      const places = [container ? "in a container" : "", systemd ? "under systemd" : ""].filter((word) => word !== "")
      const where = places.length === 0 ? "neither in a container nor under systemd" : places.join(", ")
      return [ok("surroundings", `process ${process.pid} ${where}`, { details: { container, systemd } })]
    })
}
