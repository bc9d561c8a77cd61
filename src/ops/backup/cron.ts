import { Cron, DateTime, Result } from "effect"

/** Market time has no daylight saving: UTC+9 throughout. */
const zone = DateTime.zoneMakeOffset(9 * 3_600_000)

export const allowedCrons = "off or five fields of cron, such as 30 20 * * *"

/** Reads when to back up: cron in market time, or `off`. One that no day ever matches is refused. */
export const parseCron = (text: string): Result.Result<Cron.Cron | "off", string> => {
  if (text.toLowerCase() === "off") return Result.succeed("off")
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5) return Result.fail(`it has ${fields.length} fields`)
  return Result.flatMap(
    Result.mapError(Cron.parse(text, zone), ({ message }) => message),
    (cron) => {
      try {
        Cron.next(cron, new Date(0))
        return Result.succeed(cron)
      } catch {
        return Result.fail("there is no such day")
      }
    }
  )
}
