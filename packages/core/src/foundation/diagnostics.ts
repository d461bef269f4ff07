/** One finding about a model, a plan or a machine. Errors stop a command; warnings and notes are reported. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning' | 'note';
  /** Stable kebab-case name of the rule that found it. */
  readonly rule: string;
  readonly message: string;
  /** Place: node, value or file. */
  readonly at?: string;
  readonly hint?: string;
}
