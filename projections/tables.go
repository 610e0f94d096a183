package projections

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
//	credit_notes      like invoices                               creditNoteRow
//	ledger            like invoices                               ledgerRow
//	invoice_reasons   -                                           invoiceReasonRow
//	contracts         named in them, sent, with view_contracts    contractRow
//	contract_bodies   like contracts                              contractBodyRow
//	contract_signers  like contracts                              contractSignerRow
//	contract_notes    -                                           contractNotesRow
//	numbers           -                                           numberRow
func Tables() []Table { return nil }
