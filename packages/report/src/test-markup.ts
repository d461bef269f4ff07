import fc from 'fast-check';

/** One tag with its attributes, all of them in double quotes: nothing else may be written by this package. */
const tag = /<(?:!doctype html|\/?[a-zA-Z][a-zA-Z0-9]*(?: [a-zA-Z-]+="[^"<>]*")*\/?)>/g;

/** Attributes whose values are texts of the report; values of others belong to the skeleton. */
const freeAttributes = / (aria-label|data-sort)="[^"]*"/g;

/**
 * The tags of a document without its texts, so that two reports of the same shape have the same.
 * @throws when an angle bracket stands where no tag is
 */
export function skeletonOf(document: string): string {
  const [, head = '', body = ''] = /^([\s\S]*<\/style>)([\s\S]*?)<script>/.exec(document) ?? [];
  const markup = head.replace(/<style>[\s\S]*<\/style>/, '') + body;
  const rest = markup.replace(tag, '');
  if (/[<>]/.test(rest)) throw new Error(`an angle bracket outside of tags: ${/.{0,40}[<>].{0,40}/.exec(rest)?.[0]}`);
  return (markup.match(tag) ?? []).map((found) => found.replace(freeAttributes, ' $1')).join('\n');
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };

/** What a person reads, with single spaces. */
export const textOf = (document: string): string =>
  document
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<(?:code|\/code|\/span)[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] as string)
    .replace(/[ \n]+/g, ' ');

/** Fields that hold words of this project, which no model can choose. */
const ownWords = new Set([
  'status',
  'action',
  'kind',
  'granularity',
  'verdict',
  'code',
  'form',
  'valueInfo',
  'minSum',
  'maxSum',
  'objective',
]);

/** Records whose keys are names out of files. */
const named = new Set(['operators', 'found', 'input', 'tensors', 'sessions']);

/** A report of the same shape with another text in every place where one stands; equal texts stay equal. */
export function withTexts<T>(report: T, make: (ordinal: number) => string): T {
  const texts = new Map<string, string>();
  const other = (text: string): string => {
    const made = texts.get(text) ?? make(texts.size);
    texts.set(text, made);
    return made;
  };
  const visit = (value: unknown, field: string, owner: string): unknown => {
    if (typeof value === 'string') return isOwnWord(field, owner) || value === '' ? value : other(value);
    if (Array.isArray(value)) return value.map((item) => visit(item, '', field));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      named.has(field) ? other(key) : key,
      visit(inner, key, field),
    ]);
    return Object.fromEntries(entries);
  };
  return visit(report, '', '') as T;
}

const isOwnWord = (field: string, owner: string): boolean =>
  ownWords.has(field) || (owner === 'method' && field === 'id') || (owner === 'weight' && field === 'range');

/** Texts that try to be markup, to end an attribute, a style, a script, a comment or a title, and any other. */
export const hostileTexts: fc.Arbitrary<string> = fc.oneof(
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '=', '/', '`', '!--', 'script', 'onload', ' ', '\n', '\0'),
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '</script><script>alert(1)</script>',
    '</title><img src=x onerror=alert(1)>',
    '" onfocus="alert(1)" autofocus="',
    '</style><style>*{display:none}',
    '--><svg onload=alert(1)>',
    '&lt;script&gt;',
  ),
);
