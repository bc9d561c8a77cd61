/** The system's own word for what went wrong (`ENOSPC`, `EADDRINUSE` …), or the error as text when it has none. */
export const systemCode = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)

/** Whether a code says that no room is left: on the disk, or in what the user may have of it. */
export const isNoRoom = (code: string | undefined): boolean => code === "ENOSPC" || code === "EDQUOT"
