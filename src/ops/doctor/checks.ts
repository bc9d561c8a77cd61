import type { Check, MachineCheck } from "../Doctor.ts"
import { backups } from "./backups.ts"
import { calendar } from "./calendar.ts"
import { callBudget } from "./callBudget.ts"
import { certificate } from "./certificate.ts"
import { connects } from "./connects.ts"
import { database } from "./database.ts"
import { diskRoom } from "./diskRoom.ts"
import { folders } from "./folders.ts"
import { gapsToday } from "./gapsToday.ts"
import { journal } from "./journal.ts"
import { memory } from "./memory.ts"
import { restHosts, streamHosts } from "./network/hosts.ts"
import { nodeVersion } from "./nodeVersion.ts"
import { oldDays } from "./oldDays.ts"
import { openFiles } from "./openFiles.ts"
import { proxy } from "./proxy.ts"
import { runningObserver } from "./runningObserver.ts"
import { surroundings } from "./surroundings.ts"
import { timeZone } from "./timeZone.ts"
import { tokens } from "./tokens.ts"
import { universe } from "./universe.ts"

/** Everything `observer doctor` looks at, in the order in which it is shown. A new check is a file and a line here. */
export const checks: { readonly machine: ReadonlyArray<MachineCheck>; readonly installation: ReadonlyArray<Check> } = {
  machine: [nodeVersion, timeZone, memory, openFiles, surroundings, proxy],
  installation: [
    folders,
    diskRoom,
    oldDays,
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
