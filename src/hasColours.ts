/** Whether this program's standard output shows colours: it is a terminal, and `NO_COLOR` is not set. */
export const hasColours = (): boolean => process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === ""
