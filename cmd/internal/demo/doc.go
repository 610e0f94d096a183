// Package demo makes the demo firm: a design studio, its staff, three clients, and a year of their projects, invoices and
// contracts, so that every page has something believable on it.
//
// It is a story told in commands, given as the people in it would have given them, at the times when they would have.
// story.go keeps the steps and their times; people.go, projects.go, invoices.go and contracts.go are the chapters; texts
// holds the contracts. demo.go gives the commands.
//
// It may import commands, domain and its aggregates. Only cmd imports it.
//
// To add to the story: a step in a chapter. A step must do something each time the story is told from its beginning:
// Make recognises a finished story by its last step.
//
// # Decisions that closed a door
//
// There is no randomness and only one clock: the day on which the story was first told. Each time in it is so many
// days before that one, and each id derives from the step's name. So a demo that was killed half-way is finished
// by telling the story again, and a demo on another day adds nothing. The cost: a demo firm that is kept grows old.
package demo
