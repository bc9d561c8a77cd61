/** Something that the person who started us can mend; shown without a stack. */
export class SetupFailure extends Error {}
