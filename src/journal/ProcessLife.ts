import { readFile } from "node:fs/promises"

const stat = async (pid: number): Promise<{ readonly state: string; readonly ticks: string } | undefined> => {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8")
    // The second field is the program's name in brackets and may hold anything; the state follows it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return { state: fields[0] ?? "", ticks: fields[19] ?? "" }
  } catch {
    return undefined
  }
}

/** Names the moment a process started, on Linux; a pid is reused, the pair of both is not. */
export const startedAt = async (pid: number): Promise<string | undefined> => {
  const found = await stat(pid)
  if (found === undefined) return undefined
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")
  return `${boot.trim()}:${found.ticks}`
}

/** Whether the process that started then still runs. One that has ended but was not yet waited for does not. */
export const isAlive = async (pid: number, started: string | undefined): Promise<boolean> => {
  try {
    process.kill(pid, 0)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EPERM")) return false
  }
  if ((await stat(pid))?.state === "Z") return false
  const now = await startedAt(pid)
  return now === undefined || started === undefined || now === started
}
