// Package ui is the design system of the portal: the components of which every page is made, one stylesheet, one
// script, one set of icons.
//
// # What lives here
//
//   - Components: templ functions that take plain structs. They read no data and know no route of the product; what
//     they link to is given.
//   - ClientLayout, StaffLayout, AuthLayout: the frame around a page.
//   - Money, AmountText, ParseAmount, DateText, TimeText: how figures and dates are written for people.
//   - Brand: a firm's name, logo and two colours, with the shades derived from them.
//   - Static: the handler of everything under /assets/.
//
// It may import domain and templ. Package storybook beside it shows every component with canned data.
//
// # To add a component
//
// Write it in the .templ file of its family with a props struct whose fields are explained, style it in
// static/portal.css under the heading of the same name, show it in the storybook, and run `make generate`. The
// storybook's tests then check it for accessibility, for inline styles and scripts, and for links that were refused.
//
// # Decisions
//
// The content security policy is default-src 'self', so nothing is inline: no style attributes, no event handlers.
// Drawings use attributes and classes. The firm's colours come in a stylesheet of their own whose address holds the
// two colours, so that it needs no lookup and is cached for ever; the price is that a page names one more file on the
// first visit.
//
// Light and dark are one set of custom properties made with light-dark(). A document such as an invoice sets
// color-scheme: light, and all within it turns to paper. The price: browsers older than 2024 fall back to unstyled
// colours.
//
// Pages work without the script. It finds its elements by data attributes and only improves them. Menus are popovers
// and details, which open without it. An irreversible act is a link to a page that says what will happen; the script
// shows the form of that page in a dialog.
//
// There is no build step for CSS and JavaScript: the files are read by people as they are, and Static strips comments
// and indentation when the program starts.
package ui
