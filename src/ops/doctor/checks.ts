import type { Check, MachineCheck } from "../Doctor.ts"
import { callBudget, connects, tokens } from "./accounts.ts"
import { backups } from "./backups.ts"
import { database } from "./database.ts"
import { diskRoom } from "./diskRoom.ts"
import { folders } from "./folders.ts"
import { journal } from "./journal.ts"
import { memory, openFiles, proxy, surroundings } from "./machine.ts"
import { restHosts, streamHosts } from "./network/hosts.ts"
import { nodeVersion } from "./nodeVersion.ts"
import { calendar, certificate, gapsToday, universe } from "./record.ts"
import { runningObserver } from "./runningObserver.ts"
import { timeZone } from "./timeZone.ts"

/** Everything `observer doctor` looks at, in the order in which it is shown. A new check is a file and a line here. */
export const checks: { readonly machine: ReadonlyArray<MachineCheck>; readonly installation: ReadonlyArray<Check> } = {
  machine: [nodeVersion, timeZone, memory, openFiles, surroundings, proxy],
  installation: [
    folders,
    diskRoom,
    runningObserver,
    restHosts,
    streamHosts,
    tokens,
    callBudget,
    connects,
    journal,
    universe,
    gapsToday,
    certificate,
    calendar,
    database,
    backups
  ]
}
