package portal

import "github.com/go-chi/chi/v5"

// clientRoutes are the pages for clients. What a contact lacks the permission for answers 403, what is not theirs 404.
func (p *portal) clientRoutes(r chi.Router) {
	r.Get("/", p.page(p.home))

	r.Get("/projects", p.page(p.projects))
	r.Get("/projects/{id}", p.page(p.project))
	r.Get("/projects/{id}/history", p.page(p.projectHistory()))

	r.Get("/invoices", p.page(p.invoices))
	r.Get("/invoices/{id}", p.page(p.invoice))
	r.Get("/invoices/{id}/history", p.page(p.invoiceHistory()))
	p.form(r, "/invoices/{id}/question", p.question, p.askQuestion)
	r.Post("/invoices/{id}/pay", p.act(p.invoiceForm, p.pay))
	r.Get("/payments/{id}", p.page(p.payment))
	r.Post("/payments/{id}/cancel", p.act(nil, p.cancelPayment))

	r.Get("/statement", p.page(p.statement))
	r.Get("/statement.csv", p.statementCSV)

	r.Get("/contracts", p.page(p.contracts))
	r.Get("/contracts/{id}", p.page(p.contract))
	r.Get("/contracts/{id}/history", p.page(p.contractHistory()))
	r.Post("/contracts/{id}/view", p.act(p.contractForm, p.readContract))
	r.Post("/contracts/{id}/consent", p.act(p.contractForm, p.consent))
	p.form(r, "/contracts/{id}/withdraw", p.withdrawPage, p.withdraw)
	r.Post("/contracts/{id}/sign", p.act(p.contractForm, p.sign))
	p.form(r, "/contracts/{id}/decline", p.declinePage, p.decline)

	r.Get("/people", p.page(p.people))
	r.Get("/history", p.page(p.history))
	r.Get("/changes", p.page(p.clientChanges))
	r.Get(recordsPath, p.page(p.records))
	p.form(r, "/profile", p.profile, p.changeProfile)
	p.form(r, notificationsPath, p.notifications, p.changeNotifications)
}
