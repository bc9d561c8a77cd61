/** Whether others than the owner may do anything with a file of such a mode. Windows has no such bits. */
export const isOpenToOthers = (mode: number): boolean => process.platform !== "win32" && (mode & 0o077) !== 0

/** A mode as `chmod` takes it: `0644`. */
export const modeWords = (mode: number): string => (mode & 0o777).toString(8).padStart(4, "0")
