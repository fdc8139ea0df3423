/** What staff read on the page for incidents. */
export const incidents = {
  heading: 'Look up a refused request',
  intro:
    'Somebody was given a number with an error. Here is what the record system had answered. It may hold what that person was not allowed to see.',
  watched: 'That you looked, at which number and what for, is recorded before anything is shown.',
  number: 'Number of the request',
  numberHint: '26 letters and digits, as they stand on the error page.',
  ticket: 'Number of the ticket',
  ticketHint: 'What you look for, such as HD-1234. No names.',
  show: 'Show',
  none: 'Nothing is kept under this number: it is too old, of another clinic, or the record system was never asked.',
  found: (number: string) => `Request ${number}`,
  at: 'When',
  asked: 'Asked for',
  given: 'The person got',
  answered: 'The record system said',
  fields: 'Header',
  body: 'Content',
  more: 'There was more than is kept.',
  noText: 'The content is no text.',
  problems: {
    number: 'This is not a number of a request: it has 26 letters and digits.',
    ticket: 'Name the ticket: 2 to 64 letters, digits and #/._:-, no spaces.',
  },
} as const;
