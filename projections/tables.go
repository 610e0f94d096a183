package projections

import "slices"

// Tables is the one list of read-model tables.
//
//	name              clients read                                columns of
//	firms             their firm                                  firmRow
//	staff             of their firm                               staffRow
//	staff_details     -                                           staffDetailsRow
//	accounts          their account                               accountRow
//	account_notes     -                                           accountNotesRow
//	contacts          of their account                            contactRow
//	contact_notes     -                                           contactNotesRow
//	projects          of their account, with view_projects        projectRow
//	project_team      like projects                               projectTeamRow
//	invoices          named in them, sent, with view_invoices     invoiceRow
//	payments          like invoices                               paymentRow
//	payment_attempts  like invoices                               attemptRow
//	payment_pages     like invoices, with pay_invoices            pageRow
//	payment_notes     -                                           attemptNotesRow
//	credit_notes      like invoices                               creditNoteRow
//	ledger            like invoices                               ledgerRow
//	questions         like invoices                               questionRow
//	invoice_reasons   -                                           invoiceReasonRow
//	contracts         named in them, sent, with view_contracts    contractRow
//	contract_bodies   like contracts                              contractBodyRow
//	contract_signers  like contracts                              contractSignerRow
//	contract_notes    -                                           contractNotesRow
//	numbers           -                                           numberRow
//	access            their own                                   accessRow
//	last_seen         their own                                   lastSeenRow
//	audit             -                                           auditRow
//	invoice_sums      -                                           invoiceSumRow
//	month_sums        -                                           monthSumRow
//	project_sums      -                                           projectSumRow
//	contract_sums     -                                           contractSumRow
//	account_sums      -                                           accountSumRow
//
// Events of login streams go into none: their streams are named after a keyed hash, and who holds which e-mail is
// said by staff_details and contacts.
func Tables() []Table {
	return slices.Concat(
		firmTables(), accountTables(), contactTables(), projectTables(), invoiceTables(), questionTables(), paymentTables(), attemptTables(), ledgerTables(),
		contractTables(), numberTables(), accessTables(), auditTables(), totalTables(),
	)
}

// known is the row to fold into. A stream's first event fills an empty one; any other event of a stream without a row
// leaves it without firm and id, which the engine refuses, and so parks the stream.
func known[R any](row *R) *R {
	if row == nil {
		return new(R)
	}
	return row
}
